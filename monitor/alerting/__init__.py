"""What is wrong (`policy`, `conditions`), in words (`explain`), and an alert's life (`ledger`)."""
