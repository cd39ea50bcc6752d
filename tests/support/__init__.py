"""What several kinds of tests share; on the path through pytest's `pythonpath` setting."""
