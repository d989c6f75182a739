"""What every backbone is made of: the contract, the model of a group, inputs, losses."""
