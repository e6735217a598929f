package sds

import (
	"bytes"
	"errors"
	"runtime"
)

// ProvideHints asks provide for the retrieval hint of each message that the next one will name in its causal history, in
// the order in which it will name them, and sets those that are new. It is for a host that looks hints up when they are
// needed, instead of setting each with SetRetrievalHint once the network told it; call it before WrapOutgoing. Where
// provide returns nothing, a hint that is known already stays. Provide may call any method of the manager.
//
// Errors: as NextHistory: then provide was not called. ErrTooLarge, ErrUnknownMessage as SetRetrievalHint; those of several
// are joined, and the other hints are set.
func (m *Manager) ProvideHints(channelID string, provide func(MessageID) []byte) error {
	s := getScratch()
	defer s.put()
	err := cNextHistory(m.id(), channelID, s)
	runtime.KeepAlive(m)
	if err != nil {
		return err
	}
	r, err := readOnly(recordHistory, s.bytes())
	if err != nil {
		return err
	}
	ids := string(r.entries) // the ids lie in it, which is one allocation for all of them
	var failed error
	for b := r.entries; len(b) > 0; {
		entry, rest, err := readEntry(b)
		if err != nil {
			return errors.Join(failed, err)
		}
		at := len(ids) - len(b) + entryHead
		id := MessageID(ids[at : at+len(entry.messageID)])
		b = rest
		if hint := provide(id); len(hint) > 0 && !bytes.Equal(hint, entry.hint) {
			if err := m.SetRetrievalHint(channelID, id, hint); err != nil {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}
