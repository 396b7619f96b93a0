use super::*;

fn draft(n: u32) -> Draft {
    Draft {
        at_ms: i64::from(n),
        actor: "system".into(),
        body: format!("{{\"n\":{n}}}"),
    }
}

fn writer(folder: &Path) -> Writer {
    let connection = open(folder).unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    Writer::new(connection, folder).unwrap()
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
    let mut writer = writer(folder.path());
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
    let mut writer = writer(folder.path());
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

#[tokio::test]
async fn end_that_was_acknowledged_and_is_gone_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path());
    for n in 1..=5 {
        writer.append(vec![draft(n)]).unwrap();
    }
    // As after a log that was torn: SQLite itself notices nothing.
    writer
        .connection
        .execute_batch("DROP TRIGGER events_undeleted; DELETE FROM events WHERE seq > 3")
        .unwrap();
    drop(writer);
    let error = SqliteJournal::open(folder.path()).unwrap_err();
    assert!(
        matches!(error, JournalError::Broken { seq: 4, .. }),
        "{error}"
    );
    // Whoever wants to go on without them can.
    std::fs::remove_file(folder.path().join(mark::FILE_NAME)).unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.append(vec![draft(4)]).await.unwrap(), 4);
}

#[tokio::test]
async fn page_that_cannot_be_read_while_running_ends_the_writing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    let batch = (0..2_000).map(draft).collect();
    journal.append(batch).await.unwrap();
    let other = open(folder.path()).unwrap();
    // Another's writing empties the journal's cache.
    other.execute_batch("CREATE TABLE other (x)").unwrap();
    other
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(other);
    let path = folder.path().join(FILE_NAME);
    let bytes = std::fs::read(&path).unwrap();
    // All but the first page, which holds the schema, and that of the newest entries.
    let mut damaged = bytes.clone();
    let keep = bytes.len() - 8 * 4_096;
    damaged[4_096..keep].fill(0xff);
    std::fs::write(&path, damaged).unwrap();
    let error = journal.read(0, 10).await.unwrap_err();
    assert!(error.is_damage(), "{error}");
    assert!(journal.damage().is_some());
    let error = journal.append(vec![draft(1)]).await.unwrap_err();
    assert!(error.is_damage(), "{error}");
}
