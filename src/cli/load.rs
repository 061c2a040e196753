//! What several commands begin with: a revision or the working tree, read, with the history of its pins.
