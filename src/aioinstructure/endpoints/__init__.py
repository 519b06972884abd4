"""Operations as declared stubs, routes and bound calls. Knows no service and sends nothing."""
