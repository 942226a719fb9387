// Empty: it lets the compiler accept pin.go's functions without bodies.
