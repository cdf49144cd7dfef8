"""A request, from what users give to what is sent."""
