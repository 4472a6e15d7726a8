"""Pages, live sockets and the staff board: everything people look at. Above all other layers."""
