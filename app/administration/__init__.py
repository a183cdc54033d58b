"""What an administrator looks after: peers, queues, dead letters, model versions. Every act is audited."""
