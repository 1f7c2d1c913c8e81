"""The timeseries plugin of metier: forecasts with quantiles, and anomalies from them."""
