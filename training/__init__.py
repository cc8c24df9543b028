"""HOW WE CAME TO IT: splits, fits, calibration, baselines, evaluation, gates, MLflow tracking."""
