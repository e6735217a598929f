package reliable

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// sealed is AES-GCM with a random nonce.
type sealed struct{ aead cipher.AEAD }

func newSealed(t testing.TB, key string) sealed {
	block, err := aes.NewCipher([]byte(key))
	check(t, err)
	aead, err := cipher.NewGCM(block)
	check(t, err)
	return sealed{aead}
}

func (s sealed) Encrypt(plain []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return s.aead.Seal(nonce, nonce, plain, nil), nil
}

func (s sealed) Decrypt(b []byte) ([]byte, error) {
	if len(b) < s.aead.NonceSize() {
		return nil, errors.New("too short")
	}
	return s.aead.Open(nil, b[:s.aead.NonceSize()], b[s.aead.NonceSize():], nil)
}

func TestMessagesWithoutTheTagAreDroppedAndCounted(t *testing.T) {
	w := newWorld(t)
	bo := w.simple("bo")
	before := len(bo.names())
	for _, payload := range []string{"", "hello", "RELIABLE-CHANNEL-API/2hello", "RELIABLE-CHANNEL-API/"} {
		bo.core.receive(bo.ch, Message{Payload: []byte(payload)}, false, w.now)
	}
	bo.core.receive(bo.ch, Message{Payload: []byte(Tag + "not SDS")}, false, w.now)
	w.run(time.Second)
	if s := bo.core.stats; s.Untagged != 4 || s.Refused != 1 || s.Received != 5 || len(bo.names()) != before {
		t.Errorf("%+v, %v", s, bo.names())
	}
}

// Without the tag a payload is an SDS message and nothing else.
func TestChannelsMayLeaveTheTagOut(t *testing.T) {
	w := newWorld(t)
	bare := ChannelOptions{Untagged: true}
	ada, bo, eve := w.join("ada", simConfig("ada"), bare), w.join("bo", simConfig("bo"), bare), w.simple("eve")
	ada.say("hello")
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	bo.expect("received")
	for _, e := range w.envelopes {
		if _, err := sds.Inspect(e.payload); e.from != eve && err != nil {
			t.Errorf("%q: %v", e.payload, err)
		}
	}
	if s := eve.core.stats; len(eve.shown) != 0 || s.Untagged == 0 || s.Untagged != s.Received {
		t.Errorf("eve, who wants the tag: %+v", s)
	}
	// What is something else is refused further in.
	refused := bo.core.stats.Refused
	for _, payload := range []string{"", "hello", Tag + string(w.envelopes[0].payload)} {
		bo.core.receive(bo.ch, Message{Payload: []byte(payload)}, false, w.now)
	}
	if s := bo.core.stats; s.Refused != refused+3 || s.Untagged != 0 {
		t.Errorf("%+v", s)
	}
}

// The tag is outside what is encrypted, nothing else is; what was encrypted by others is dropped.
func TestEncryption(t *testing.T) {
	w := newWorld(t)
	inside := ChannelOptions{Encryption: newSealed(t, "0123456789abcdef")}
	ada, bo := w.join("ada", simConfig("ada"), inside), w.join("bo", simConfig("bo"), inside)
	eve := w.join("eve", simConfig("eve"), ChannelOptions{Encryption: newSealed(t, "fedcba9876543210")})
	ada.say("a secret")
	w.until(time.Minute, "delivered", func() bool { return ada.count("delivered") == 1 })
	bo.expect("received")
	for _, e := range w.envelopes {
		rest, ok := bytes.CutPrefix(e.payload, []byte(Tag))
		if !ok || bytes.Contains(rest, []byte("a secret")) || bytes.Contains(rest, []byte("room")) {
			t.Errorf("%q", e.payload)
		}
	}
	if s := eve.core.stats; len(eve.shown) != 0 || s.Undecryptable == 0 || s.Undecryptable != s.Received {
		t.Errorf("%+v", s)
	}
	// A flipped bit is no message.
	payload := bytes.Clone(w.envelopes[0].payload)
	payload[len(payload)-1] ^= 1
	before := bo.core.stats.Undecryptable
	bo.core.receive(bo.ch, Message{Payload: payload}, false, w.now)
	if bo.core.stats.Undecryptable != before+1 {
		t.Error("it was taken")
	}
}

type noEncryption struct{ Encryption }

func (noEncryption) Encrypt([]byte) ([]byte, error) { return nil, errDown }

func TestAnEncryptionThatFailsIsASendError(t *testing.T) {
	w := newWorld(t)
	ada := w.join("ada", simConfig("ada"), ChannelOptions{Encryption: noEncryption{}})
	ada.say("hello")
	w.until(2*time.Minute, "told", func() bool { return ada.count("send-error") == 1 })
	if e := ada.find("send-error")[0].(SendError); !errors.Is(e.Err, errDown) || len(w.envelopes) != 0 {
		t.Errorf("%+v", e)
	}
}
