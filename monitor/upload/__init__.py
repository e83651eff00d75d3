"""Labels from a file to `POST /feedback`: read in pieces, sent again where need be, resumed."""
