package sds_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/waku-org/sds-go-bindings/sds"
)

// What programs use of the old module: this does not compile if a signature changes.
var (
	_ func(*zap.Logger) (*sds.ReliabilityManager, error)                           = sds.NewReliabilityManager
	_ func(*sds.ReliabilityManager, sds.EventCallbacks)                            = (*sds.ReliabilityManager).RegisterCallbacks
	_ func(*sds.ReliabilityManager, []byte, sds.MessageID, string) ([]byte, error) = (*sds.ReliabilityManager).WrapOutgoingMessage
	_ func(*sds.ReliabilityManager, []byte) (*sds.UnwrappedMessage, error)         = (*sds.ReliabilityManager).UnwrapReceivedMessage
	_ func(*sds.ReliabilityManager, []sds.MessageID, string) error                 = (*sds.ReliabilityManager).MarkDependenciesMet
	_ func(*sds.ReliabilityManager) error                                          = (*sds.ReliabilityManager).StartPeriodicTasks
	_ func(*sds.ReliabilityManager) error                                          = (*sds.ReliabilityManager).Cleanup
	_ func(*sds.ReliabilityManager) error                                          = (*sds.ReliabilityManager).Reset
	_                                                                              = sds.MessageID("text")
	_                                                                              = sds.HistoryEntry{sds.MessageID(""), []byte(nil)}
	_                                                                              = sds.UnwrappedMessage{(*[]byte)(nil), (*[]sds.HistoryEntry)(nil), (*string)(nil)}
	_                                                                              = sds.EventCallbacks{
		func(sds.MessageID, string) {}, func(sds.MessageID, string) {}, func(sds.MessageID, []sds.HistoryEntry, string) {},
		func() {}, func(sds.MessageID) []byte { return nil },
	}
)

// Everything that the package exports, as it is declared: first what the old module has, then what is added.
const (
	oldAPI = `
type MessageID string
type HistoryEntry struct { MessageID MessageID ¬json:"messageId"¬; RetrievalHint []byte ¬json:"retrievalHint"¬ }
type UnwrappedMessage struct { Message *[]byte ¬json:"message"¬; MissingDeps *[]HistoryEntry ¬json:"missingDeps"¬; ChannelId *string ¬json:"channelId"¬ }
type EventCallbacks struct { OnMessageReady func(messageId MessageID, channelId string); OnMessageSent func(messageId MessageID, channelId string); OnMissingDependencies func(messageId MessageID, missingDeps []HistoryEntry, channelId string); OnPeriodicSync func(); RetrievalHintProvider func(messageId MessageID) []byte }
type ReliabilityManager struct
func NewReliabilityManager(logger *zap.Logger) (*ReliabilityManager, error)
func (rm *ReliabilityManager) RegisterCallbacks(callbacks EventCallbacks)
func (rm *ReliabilityManager) WrapOutgoingMessage(message []byte, messageId MessageID, channelId string) ([]byte, error)
func (rm *ReliabilityManager) UnwrapReceivedMessage(message []byte) (*UnwrappedMessage, error)
func (rm *ReliabilityManager) MarkDependenciesMet(messageIDs []MessageID, channelId string) error
func (rm *ReliabilityManager) StartPeriodicTasks() error
func (rm *ReliabilityManager) Cleanup() error
func (rm *ReliabilityManager) Reset() error`
	addedAPI = `
func (rm *ReliabilityManager) Engine() *engine.Manager
func NewReliabilityManagerWith(options Options) (*ReliabilityManager, error)
func DefaultConfig() engine.Config
type Options struct { Logger *zap.Logger; ParticipantID string; Store Store; Config *engine.Config; OnOutput func(engine.Output) }
type Store interface
func InFile(path string, options engine.StoreOptions) Store
func InDatabase(database Database) Store
type Database interface { Load() ([]engine.StoredRecord, error); Commit(step Step) error }
type Step struct { Writes []engine.Write; Messages []Message }
type Message struct { State State; ChannelID string; MessageID MessageID; SenderID string; Content []byte }
type State int
const StateSent
const StateWaiting
const StateReady`
)

func TestExportedAPI(t *testing.T) {
	have := exported(t)
	for _, line := range strings.Split(strings.ReplaceAll(oldAPI+addedAPI, "¬", "`"), "\n") {
		if line != "" && !have[line] {
			t.Errorf("missing: %s", line)
		}
		delete(have, line)
	}
	for line := range have {
		t.Errorf("not in the list: %s", line)
	}
}

// exported is what the files of this folder export, one declaration a line.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	files := token.NewFileSet()
	have := map[string]bool{}
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name.Name(), ".go") || strings.HasSuffix(name.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.FileExports(file)
		for _, declaration := range file.Decls {
			for _, line := range lines(files, declaration) {
				have[line] = true
			}
		}
	}
	return have
}

// between is what lies between two fields: line ends, and empty lines where comments were.
var between = regexp.MustCompile(`( ;)+ `)

func lines(files *token.FileSet, declaration ast.Decl) (lines []string) {
	text := func(node any) string {
		var b bytes.Buffer
		_ = (&printer.Config{Mode: printer.RawFormat}).Fprint(&b, files, node)
		line := strings.Join(strings.Fields(strings.ReplaceAll(b.String(), "\n", " ; ")), " ")
		line = between.ReplaceAllString(line, "; ")
		return strings.ReplaceAll(strings.ReplaceAll(line, "{; ", "{ "), "; }", " }")
	}
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Body = nil; declaration.Recv == nil || strings.HasPrefix(text(declaration.Recv.List[0].Type), "*R") {
			lines = append(lines, text(declaration))
		}
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				line := "type " + text(spec)
				// What shows nothing but that it is there.
				for _, closed := range []string{"type ReliabilityManager struct", "type Store interface"} {
					if strings.HasPrefix(line, closed) {
						line = closed
					}
				}
				lines = append(lines, line)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					lines = append(lines, declaration.Tok.String()+" "+name.Name)
				}
			}
		}
	}
	return lines
}
