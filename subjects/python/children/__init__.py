"""What runs in processes that multiprocessing creates."""
