module checks

go 1.26.0

replace github.com/glassheap/glassheap => ../../..

require (
	github.com/glassheap/glassheap v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.50.0 // indirect
)
