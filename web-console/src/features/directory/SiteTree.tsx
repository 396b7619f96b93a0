import "./directory.css";

import { SearchOutlined } from "@ant-design/icons";
import { Button, Input, Segmented, Tooltip } from "antd";
import { type KeyboardEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ring, useReplica } from "../../protocol/client";
import type { Target } from "../../protocol/generated/Target";
import type { Tier } from "../../protocol/generated/Tier";
import { useAttempt } from "../../ui/useAttempt";
import { SecondFactorReset } from "./SecondFactorReset";
import { clearSelection, search, setOrdered, toggleCollapsed, useDirectoryView } from "./store";
import { type Row, rowsOf, tierCounts } from "./tree";
import { TreeRow } from "./TreeRow";

const CALLABLE_TIERS: readonly Tier[] = ["township", "community"];

/** The organisation with presence; every line can be called. */
export function SiteTree() {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const view = useDirectoryView();
  const sites = useReplica((replica) => replica.sites);
  const people = useReplica((replica) => replica.people);
  const own = useReplica((replica) => replica.me.site);
  const rows = useMemo(
    () => rowsOf(sites, people, { search: view.search, collapsed: view.collapsed, own }),
    [sites, people, view.search, view.collapsed, own],
  );
  const counts = useMemo(() => tierCounts(sites, own), [sites, own]);
  const [active, setActive] = useState<string | null>(null);

  function call(target: Target, commanded: boolean) {
    attempt(() => ring([target], view.ordered && commanded));
  }

  function callSelected() {
    const chosen = [...view.selected.values()];
    const orders = chosen.filter(({ commanded }) => view.ordered && commanded).map(({ target }) => target);
    const questions = chosen.filter(({ commanded }) => !(view.ordered && commanded)).map(({ target }) => target);
    attempt(async () => {
      if (orders.length > 0) await ring(orders, true);
      if (questions.length > 0) await ring(questions, false);
      clearSelection();
    });
  }

  const firstKey = rows[0] === undefined ? null : rowKey(rows[0]);
  const activeKey = rows.some((row) => rowKey(row) === active) ? active : firstKey;

  return (
    <section className="directory" aria-labelledby="directory-title">
      <header className="directory-head">
        <div className="directory-title">
          <h2 id="directory-title">{t("directory.title")}</h2>
          <SecondFactorReset account={null} />
          <Tooltip title={t(view.ordered ? "directory.modeOrderedHint" : "directory.modeAskHint")} placement="right">
            <Segmented
              aria-label={t("directory.mode")}
              size="small"
              value={view.ordered ? "ordered" : "ask"}
              options={[
                { value: "ordered", label: <span data-testid="mode-ordered">{t("directory.modeOrdered")}</span> },
                { value: "ask", label: <span data-testid="mode-ask">{t("directory.modeAsk")}</span> },
              ]}
              onChange={(mode) => setOrdered(mode === "ordered")}
            />
          </Tooltip>
        </div>
        <Input
          data-testid="tree-search"
          aria-label={t("directory.search")}
          placeholder={t("directory.search")}
          prefix={<SearchOutlined aria-hidden />}
          allowClear
          value={view.search}
          onChange={(event) => search(event.target.value)}
        />
        <div className="directory-tiers">
          {CALLABLE_TIERS.map((tier) => {
            const count = counts.find((entry) => entry.tier === tier);
            if (count === undefined) return null;
            const label = t(tier === "township" ? "directory.allTownships" : "directory.allCommunities");
            return (
              <button
                key={tier}
                type="button"
                className="directory-tier"
                data-testid={`call-tier-${tier}`}
                aria-label={`${t("directory.callTier", { tier: label })} ${count.online}/${count.total}`}
                onClick={() => call({ type: "tier", tier }, true)}
              >
                <span>{label}</span>
                <span className="ld-number">
                  {count.online}/{count.total}
                </span>
              </button>
            );
          })}
        </div>
      </header>
      <div
        className="directory-tree"
        role="tree"
        tabIndex={-1}
        aria-label={t("directory.title")}
        onKeyDown={(event) => moveFocus(event, rows, toggleCollapsed)}
        onFocus={(event) => setActive(event.target.closest<HTMLElement>("[data-row]")?.dataset["row"] ?? null)}
      >
        {rows.map((row) => (
          <TreeRow key={rowKey(row)} row={row} rowKey={rowKey(row)} isActive={rowKey(row) === activeKey} onCall={call} />
        ))}
        {rows.length === 0 && <p className="directory-none">{t("directory.searchNone")}</p>}
      </div>
      {view.selected.size > 0 && (
        <footer className="directory-selected">
          <span>{t("directory.selected", { count: view.selected.size })}</span>
          <Button size="small" type="text" onClick={clearSelection}>
            {t("directory.clearSelection")}
          </Button>
          <Button size="small" type="primary" data-testid="call-selected" onClick={callSelected}>
            {t("directory.callSelected")}
          </Button>
        </footer>
      )}
    </section>
  );
}

function rowKey(row: Row): string {
  return row.type === "site" ? row.site.code : `person-${row.person.account}`;
}

/** Arrow keys as in the tree pattern of the ARIA authoring practices. */
function moveFocus(event: KeyboardEvent<HTMLElement>, rows: Row[], toggle: (code: string) => void): void {
  const line = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-row]") : null;
  if (line === null || event.target !== line) return;
  const at = rows.findIndex((row) => rowKey(row) === line.dataset["row"]);
  const row = rows[at];
  if (row === undefined) return;
  const focus = (index: number) => {
    const next = rows[index];
    if (next === undefined) return;
    event.currentTarget.querySelector<HTMLElement>(`[data-row="${CSS.escape(rowKey(next))}"]`)?.focus();
  };
  const folds = row.type === "site" && row.hasChildren;
  switch (event.key) {
    case "ArrowDown":
      focus(at + 1);
      break;
    case "ArrowUp":
      focus(at - 1);
      break;
    case "Home":
      focus(0);
      break;
    case "End":
      focus(rows.length - 1);
      break;
    case "ArrowRight":
      if (folds && !row.expanded) toggle(row.site.code);
      else if (folds) focus(at + 1);
      break;
    case "ArrowLeft":
      if (folds && row.expanded) toggle(row.site.code);
      else focus(rows.findLastIndex((other, index) => index < at && other.level < row.level));
      break;
    default:
      return;
  }
  event.preventDefault();
}
