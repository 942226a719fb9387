package mtrace

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinesThatAreEvents(t *testing.T) {
	for _, c := range []struct {
		line          string
		op            byte
		address, size uint64
		caller        string
	}{
		{"@ ./a:(f+0x1c)[0x41c2] + 0x55d0c8a2a2a0 0x30", '+', 0x55d0c8a2a2a0, 0x30, "./a:(f+0x1c)[0x41c2]"},
		{"@ lua5.4:[0x1230d] + 0x5593d7924c70 0x2d0", '+', 0x5593d7924c70, 0x2d0, "lua5.4:[0x1230d]"},
		{"@ ./a:(f+1c)[0x41c2] - 0x55d0c8a2a2a0", '-', 0x55d0c8a2a2a0, 0, "./a:(f+1c)[0x41c2]"},
		{"@ ./a:[0x1] < 0x10", '<', 0x10, 0, "./a:[0x1]"},
		{"@ ./a:[0x1] > 0x10 0x20", '>', 0x10, 0x20, "./a:[0x1]"},
		{"@ ./a:[0x1] ! 0x10 0x7ffffffffffff000", '!', 0x10, 0x7ffffffffffff000, "./a:[0x1]"},
		{"@ ./a:[0x1] + (nil) 0xffffffffffffffff", '+', 0, 0xffffffffffffffff, "./a:[0x1]"},
		{"@ ./a:[0x1] + 0x10 0", '+', 0x10, 0, "./a:[0x1]"},
		{"@ ./a:[0x1] - (nil)", '-', 0, 0, "./a:[0x1]"},
		{"@ [0x7f00] - 0x10", '-', 0x10, 0, "[0x7f00]"},
		{"@ + 0x10 0x1", '+', 0x10, 1, ""},
		{"@ - 0x10", '-', 0x10, 0, ""},
		{"+ 0x10 0x1", '+', 0x10, 1, ""},
		{"- 0x10", '-', 0x10, 0, ""},
		{"< 0x10", '<', 0x10, 0, ""},
		{"> 0x10 0x1", '>', 0x10, 1, ""},
		{"@ /opt/My Shop/a - 0x9:[0x1] - 0x10", '-', 0x10, 0, "/opt/My Shop/a - 0x9:[0x1]"},
		{"@ /opt/a + 0x9 0x9:[0x1] + 0x10 0x20", '+', 0x10, 0x20, "/opt/a + 0x9 0x9:[0x1]"},
	} {
		var p parsed
		require.Empty(t, p.parse([]byte(c.line)), c.line)
		require.Equal(t, c.op, p.op, c.line)
		require.Equal(t, c.address, p.address, c.line)
		require.Equal(t, c.size, p.size, c.line)
		require.Equal(t, c.caller, string(p.caller), c.line)
	}
}

func TestLinesThatAreNot(t *testing.T) {
	for line, complaint := range map[string]string{
		"":                                     "it does not end in a hexadecimal number",
		" ":                                    "it does not end in a hexadecimal number",
		"@":                                    "it does not end in a hexadecimal number",
		"@ ./a:[0x1] + 0x10":                   "there is neither an address nor an operation before the last number",
		"@ ./a:[0x1] - 10":                     "it does not end in a hexadecimal number",
		"@ ./a:[0x1] - 0x":                     "it does not end in a hexadecimal number",
		"@ ./a:[0x1] - 0x1G":                   "it does not end in a hexadecimal number",
		"@ ./a:[0x1] - 0x12345678123456781":    "it does not end in a hexadecimal number",
		"@ ./a:[0x1] - 0x10 ":                  "it does not end in a hexadecimal number",
		"@ ./a:[0x1] ? 0x10 0x20":              "there is no operation before the address and the size",
		"@ ./a:[0x1] - 0x10 0x20":              "there is no operation before the address and the size",
		"@ ./a:[0x1] ++ 0x10 0x20":             "there is no operation before the address and the size",
		"0x10 0x20":                            "there is no operation before the address and the size",
		"0x10":                                 "there is neither an address nor an operation before the last number",
		"./a:[0x1] + 0x10 0x20":                "what stands before the operation does not begin with @",
		"x ./a:[0x1] + 0x10 0x20":              "what stands before the operation does not begin with @",
		"@./a:[0x1] + 0x10 0x20":               "what stands before the operation does not begin with @",
		"@ ./a:[0x1] + 0x10 0x20@ ./a:[0x1] -": "it does not end in a hexadecimal number",
	} {
		var p parsed
		require.Equal(t, complaint, p.parse([]byte(line)), "%q", line)
	}
}
