"""What pages read: workspaces, runs, records and answers, cached while their files last."""
