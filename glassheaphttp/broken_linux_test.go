package glassheaphttp

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// TestAnswersThatEndEarly: one that can't be written to its end is not taken for a whole one, and one of which nothing was written says why.
func TestAnswersThatEndEarly(t *testing.T) {
	_ = heap(t, "sessions", allocator.ModeSealed)
	for begins, status := range map[string]int{"": http.StatusInternalServerError, "the first rows": http.StatusOK} {
		server := httptest.NewServer(answering(func(*http.Request, target.Target, *inspect.Program) (answer, error) {
			return answer{status: http.StatusOK, text: func(w io.Writer, _ render.Style) error {
				if begins != "" {
					_, _ = io.WriteString(w, begins)
					w.(*begun).ResponseWriter.(http.Flusher).Flush()
				}
				return errors.New("it can't be read")
			}}, nil
		}))
		answer, err := server.Client().Get(server.URL)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.Equal(t, status, answer.StatusCode)
		if begins == "" {
			require.NoError(t, err)
			require.Equal(t, "it can't be read\n", string(text))
		} else {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
		answer.Body.Close()
		server.Close()
	}
}
