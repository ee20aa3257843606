"""Any input as raw tables, and what their columns and cells say."""
