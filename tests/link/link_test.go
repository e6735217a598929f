package link

import (
	"database/sql"
	"testing"

	_ "github.com/mattn/go-sqlite3"
)

// What status-go is: SDS, a SQLite of its own, and other Rust code, in one program. The three take turns.
func TestThreeLibrariesInOneProgram(t *testing.T) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE messages (content TEXT)"); err != nil {
		t.Fatal(err)
	}

	for _, content := range []string{"hello", "and again"} {
		received := exchange(content)
		if received != content {
			t.Fatalf("sent %q, received %q", content, received)
		}
		if _, err := db.Exec("INSERT INTO messages VALUES (?)", received); err != nil {
			t.Fatal(err)
		}
		if got := count(10, 0); got != -1 {
			t.Fatalf("the other archive's panic was not caught: %d", got)
		}
		if got := count(10, 3); got != 3 {
			t.Fatalf("the other archive counts %d, want 3", got)
		}
	}

	var rows int
	if err := db.QueryRow("SELECT count(*) FROM messages").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows != 2 {
		t.Fatalf("%d rows, want 2", rows)
	}
}
