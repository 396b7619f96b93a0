use super::*;

fn draft(n: u32) -> Draft {
    Draft {
        at_ms: i64::from(n),
        actor: "system".into(),
        body: format!("{{\"n\":{n}}}"),
    }
}

#[tokio::test]
async fn what_was_appended_is_read_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.append(vec![draft(1), draft(2)]).await.unwrap(), 2);
    drop(journal);
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.append(vec![draft(3)]).await.unwrap(), 3);
    let all = journal.read(0, 10).await.unwrap();
    assert_eq!(all.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(journal.read(2, 10).await.unwrap(), all[2..]);
    assert_eq!(journal.read(0, 1).await.unwrap(), all[..1]);
}

#[tokio::test]
async fn entries_cannot_be_altered_by_sql() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    journal.append(vec![draft(1)]).await.unwrap();
    let other = open(folder.path()).unwrap();
    assert!(other.execute("UPDATE events SET actor = 'x'", []).is_err());
    assert!(other.execute("DELETE FROM events", []).is_err());
}

#[tokio::test]
async fn full_disk_refuses_the_batch_whole_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer {
        connection: open(folder.path()).unwrap(),
        head: Head::default(),
        sure: true,
    };
    writer.connection.execute_batch(SCHEMA).unwrap();
    writer.append(vec![draft(1)]).unwrap();
    // SQLite's own limit answers as a full disk does: SQLITE_FULL.
    let pages: i64 = writer
        .connection
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    writer
        .connection
        .pragma_update(None, "max_page_count", pages)
        .unwrap();
    let mut big = draft(3);
    big.body = "x".repeat(100_000);
    let error = writer.append(vec![draft(2), big]).unwrap_err();
    assert!(matches!(error, JournalError::Unavailable(_)), "{error}");
    assert_eq!(writer.read(0, 10).unwrap().len(), 1);
    writer
        .connection
        .pragma_update(None, "max_page_count", 1_000_000)
        .unwrap();
    assert_eq!(writer.append(vec![draft(2)]).unwrap(), 2);
}

#[tokio::test]
async fn commit_that_landed_in_spite_of_its_error_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer {
        connection: open(folder.path()).unwrap(),
        head: Head::default(),
        sure: true,
    };
    writer.connection.execute_batch(SCHEMA).unwrap();
    let mut unseen = writer.head;
    write(&mut writer.connection, &mut unseen, vec![draft(1)]).unwrap();
    writer.sure = false;
    let error = writer.append(vec![draft(2)]).unwrap_err();
    assert!(matches!(
        error,
        JournalError::Diverged {
            expected: 0,
            found: 1
        }
    ));
    assert_eq!(writer.append(vec![draft(2)]).unwrap(), 2);
}
