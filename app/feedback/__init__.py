"""What radiologists made of the drafts: signed reports beside them, de-identified, for training and for audits."""
