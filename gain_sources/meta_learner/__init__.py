"""The meta-learner that MTG-Net is: an attention network from memberships to gains."""
