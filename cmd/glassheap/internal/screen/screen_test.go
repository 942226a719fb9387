package screen

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPace(t *testing.T) {
	require.Equal(t, 500*time.Millisecond, faster(time.Second))
	require.Equal(t, 2*time.Second, slower(time.Second))
	require.Equal(t, time.Second, slower(700*time.Millisecond))
	require.Equal(t, 500*time.Millisecond, faster(700*time.Millisecond))
	require.Equal(t, 200*time.Millisecond, faster(200*time.Millisecond), "there is a fastest")
	require.Equal(t, time.Minute, slower(time.Minute), "and a slowest")
}

func TestOldTicksLookNoMore(t *testing.T) {
	m := &model{}
	m.wait(time.Hour)
	m.wait(time.Hour)
	_, looks := m.Update(due(1))
	require.Nil(t, looks, "another tick took its place")
	_, looks = m.Update(due(2))
	require.NotNil(t, looks)
	m.paused = true
	_, looks = m.Update(due(2))
	require.Nil(t, looks)
}
