"""Boosted trees as LightGBM wrote them: read from its text, evaluated and explained by table lookup.

text_format   LightGBM's text -> splits, leaves and how many training rows reached each
conditions    the distinct split conditions, each evaluated once for all trees
subtrees      trees cut into subtrees of at most nine splits; the path a customer takes through each, as a code
shap          TreeSHAP values of a subtree for every path code
predict       raw scores and contributions of many customers: one table lookup per subtree
boosted       the model of a bundle: offset plus trees, with LightGBM itself for trees that are too deep
"""
