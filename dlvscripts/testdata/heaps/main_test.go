package main

import "testing"

func TestShop(*testing.T) { shop() }
