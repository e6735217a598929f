package reliable

import "bytes"

// Tag is the first thing in every payload of a reliable channel, outside what is encrypted, unless it is Untagged.
const Tag = "RELIABLE-CHANNEL-API/1"

// addTag puts the tag before a payload.
func addTag(payload []byte) []byte {
	tagged := make([]byte, 0, len(Tag)+len(payload))
	return append(append(tagged, Tag...), payload...)
}

// cutTag takes the tag off; false if there is none: that is traffic of something else under our topic.
func cutTag(tagged []byte) (payload []byte, ok bool) {
	return bytes.CutPrefix(tagged, []byte(Tag))
}
