package sds

import "bytes"

// Inspect reads bytes of either profile without touching any state, with the default limits: for debugging, and to route
// messages by channel.
//
// Errors: ErrNotSDS, ErrMalformed, ErrTooLarge, ErrNotUTF8, ErrInvalidID.
func Inspect(data []byte) (Inspection, error) {
	s := getScratch()
	defer s.put()
	inspection, err := cInspect(data, s)
	if err != nil {
		return Inspection{}, err
	}
	r, err := readOnly(recordInspected, s.bytes())
	if err != nil {
		return Inspection{}, err
	}
	if inspection.History, err = r.history(); err != nil {
		return Inspection{}, err
	}
	inspection.ChannelID, inspection.MessageID, inspection.SenderID = r.ids()
	inspection.Timestamp, inspection.HasTimestamp = r.timestamp, r.flags&flagTimestamp != 0
	inspection.Content = bytes.Clone(r.data)
	return inspection, nil
}

// Version returns the version of the library, such as "0.1.0".
func Version() string {
	return cVersion()
}

// ABIVersion returns the version of the library's C interface. Open refuses another than that of the header.
func ABIVersion() uint32 {
	return cABIVersion()
}

// SetLogLevel sets what the library writes to standard error, for the whole process. Logs hold ids, never content.
//
// Errors: ErrInvalidArgument for an unknown level.
func SetLogLevel(level LogLevel) error {
	return cSetLogLevel(level)
}

// Shutdown closes every manager of the process, as Close does, and ends every Run. New managers can be opened afterwards.
func Shutdown() error {
	err := cShutdown()
	runs.notifyAll()
	return err
}
