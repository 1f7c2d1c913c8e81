"""The claims ledger: the same labelled work by a language model and by a specialist, in seconds, money, quality."""
