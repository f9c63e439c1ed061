"""What a data set is: factors, recipes, labels, shards and the manifest that binds them. Needs only numpy."""
