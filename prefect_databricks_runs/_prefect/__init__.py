"""All that is Prefect's: both its lines, its loggers, its flow runs."""
