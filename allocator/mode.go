package allocator

import "fmt"

// SetMode changes how much is written and verified with each block from now on: between ModeSealed and ModeAudit, while the
// heap is in use. A plain heap stays plain, because its blocks have no room for seals. Blocks allocated before the change
// to ModeAudit have no record of who allocated them; freed blocks that are held back when it is left come back into use
// as their Ps need blocks.
func (h *Heap) SetMode(m Mode) error {
	if h.closed.Load() {
		return errClosed
	}
	if !m.Valid() || m.SealBytes() != h.options.Mode.SealBytes() {
		return fmt.Errorf("glassheap: heap %q began in mode %s, which can't become %s: only sealed and audit can take each other's place", h.options.Name, h.options.Mode, m)
	}
	return h.applyMode(m)
}

// Mode is the mode as it is now.
func (h *Heap) Mode() Mode {
	if h.auditing.Load() {
		return ModeAudit
	}
	if h.sealed {
		return ModeSealed
	}
	return ModePlain
}

func (h *Heap) applyMode(m Mode) error {
	if m == ModeAudit {
		learnGoroutineWord()
	}
	h.lockPages()
	defer h.unlockPages()
	if m == ModeAudit {
		if err := h.readyJournals(int(h.cachesReady.Load())); err != nil {
			return err
		}
		if err := h.readyStacks(); err != nil {
			return err
		}
		h.recordSlabs()
	}
	h.header().Mode = m
	h.auditing.Store(m == ModeAudit)
	h.setQuick()
	if m != ModeAudit {
		h.limitSpanQuarantine(0)
	}
	return nil
}

// setQuick says what the fast path may do: nothing, while every operation is audited. The pages' lock is held.
func (h *Heap) setQuick() {
	below, data := int64(h.mostSmall)+1, h.dataUsed.Load()
	if h.auditing.Load() {
		below, data = 0, 0
	}
	h.quickBelow.Store(below)
	h.quickData.Store(data)
}
