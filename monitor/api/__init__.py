"""The control API and the page: what people and programs ask of Sidelight over HTTP."""
