module program

go 1.26.0

replace github.com/glassheap/glassheap => ../../..

require github.com/glassheap/glassheap v0.0.0

require golang.org/x/sys v0.50.0 // indirect
