"""Records of any known format -> problems -> parquet files for SFT and RL."""
