import "./duty.css";

import { LeftOutlined, PlusOutlined, RightOutlined, TeamOutlined } from "@ant-design/icons";
import { Button, Drawer, Input, Spin } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ask, useBook, useReplica } from "../../protocol/client";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import type { Role } from "../../protocol/generated/Role";
import type { Roster } from "../../protocol/generated/Roster";
import type { Shift } from "../../protocol/generated/Shift";
import { useShortName } from "../../ui/siteName";
import { useNow } from "../../ui/useNow";
import { ContactsForm } from "./ContactsForm";
import { ShiftDialog } from "./ShiftDialog";
import { ShiftForm } from "./ShiftForm";
import { daysOf, hoursOf, shiftsOn, weekOf } from "./week";

/** The duty roster of the own site and all below it, week by week: who has the seat is rung. */
export function DutyPage({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer open={open} placement="right" size="min(1360px, 98vw)" title={t("duty.title")} destroyOnHidden onClose={onClose} styles={{ body: { padding: 0 } }}>
      <Week />
    </Drawer>
  );
}

type Doing = { type: "plan"; site: string; day: number } | { type: "contacts"; site: string } | { type: "shift"; shift: Shift } | null;

function Week() {
  const { t, i18n } = useTranslation();
  const me = useReplica((replica) => replica.me);
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const sites = useReplica((replica) => replica.sites);
  const shorten = useShortName();
  const [week, setWeek] = useState(() => weekOf(Date.now() + offset));
  const [needle, setNeedle] = useState("");
  const [doing, setDoing] = useState<Doing>(null);
  const roster = useRoster(week);
  const keeps = keepsRoster(me.role);
  const days = daysOf(week);
  const end = days[7] ?? week;
  const own = [...sites.values()]
    .filter((site) => isWithin(site, me.site, sites) && site.name.includes(needle.trim()))
    // Each community below its township: a code begins with that of the site above.
    .sort((a, b) => (a.code < b.code ? -1 : 1));
  const today = useNow(60_000) + offset;
  const turn = (by: number) => setWeek(weekOf((by < 0 ? week : end) + by * 3_600_000));
  return (
    <div className="duty" data-testid="duty-page">
      <header className="duty-head">
        <Button icon={<LeftOutlined aria-hidden />} aria-label={t("duty.before")} data-testid="week-before" onClick={() => turn(-1)} />
        <strong>
          {new Date(week).toLocaleDateString(i18n.language, { dateStyle: "long" })} –{" "}
          {new Date(end - 1).toLocaleDateString(i18n.language, { month: "long", day: "numeric" })}
        </strong>
        <Button icon={<RightOutlined aria-hidden />} aria-label={t("duty.after")} data-testid="week-after" onClick={() => turn(1)} />
        <Input allowClear placeholder={t("duty.search")} aria-label={t("duty.search")} value={needle} onChange={(event) => setNeedle(event.target.value)} />
        <span className="duty-hint">{t("duty.hint")}</span>
      </header>
      {roster === null ? (
        <Spin className="duty-loading" />
      ) : (
        <div className="duty-scroll">
          {keeps && roster.shifts.length === 0 && (
            <p className="duty-empty" data-testid="duty-empty">
              {t("duty.empty")}
            </p>
          )}
          <table className="duty-table">
            <thead>
              <tr>
                <th scope="col">{t("duty.site")}</th>
                {days.slice(0, 7).map((day, index) => (
                  <th key={day} scope="col" data-today={day <= today && today < (days[index + 1] ?? end)}>
                    {new Date(day).toLocaleDateString(i18n.language, { weekday: "short", day: "numeric" })}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {own.map((site) => (
                <tr key={site.code} data-testid={`duty-${site.code}`}>
                  <th scope="row" data-tier={site.tier}>
                    {shorten(site.name)}
                    {keeps && (
                      <Button
                        type="text"
                        size="small"
                        icon={<TeamOutlined aria-hidden />}
                        aria-label={t("duty.contactsOf", { site: site.name })}
                        title={t("duty.contacts")}
                        data-testid={`contacts-${site.code}`}
                        onClick={() => setDoing({ type: "contacts", site: site.code })}
                      />
                    )}
                  </th>
                  {days.slice(0, 7).map((day, index) => (
                    <td key={day}>
                      {shiftsOn(roster.shifts, site.code, day, days[index + 1] ?? end).map((shift) => (
                        <button
                          key={shift.id}
                          type="button"
                          className="shift"
                          data-state={shift.state}
                          data-late={shift.state === "onDuty" && shift.toMs < today}
                          data-testid={`shift-${shift.id}`}
                          title={shift.note}
                          onClick={() => setDoing({ type: "shift", shift })}
                        >
                          <strong>{shift.person.name}</strong>
                          <small className="ld-number">{hoursOf(shift)}</small>
                        </button>
                      ))}
                      {keeps && (
                        <button
                          type="button"
                          className="shift-add"
                          aria-label={t("duty.addOn", { site: site.name, day: new Date(day).toLocaleDateString(i18n.language) })}
                          data-testid={`add-${site.code}-${index}`}
                          onClick={() => setDoing({ type: "plan", site: site.code, day })}
                        >
                          <PlusOutlined aria-hidden />
                        </button>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {doing?.type === "plan" && <ShiftForm site={doing.site} day={doing.day} onClose={() => setDoing(null)} />}
      {doing?.type === "contacts" && roster !== null && (
        <ContactsForm site={doing.site} known={roster.contacts.find((one) => one.site === doing.site) ?? null} onClose={() => setDoing(null)} />
      )}
      {doing?.type === "shift" && roster !== null && (
        <ShiftDialog shift={roster.shifts.find((one) => one.id === doing.shift.id) ?? doing.shift} shifts={roster.shifts} keeps={keeps} onClose={() => setDoing(null)} />
      )}
    </div>
  );
}

/** As the server has it (`authority.rs`): who only supervises reads. */
function keepsRoster(role: Role): boolean {
  return role !== "supervisor" && role !== "field";
}

function isWithin(site: DirectorySite, root: string, sites: ReadonlyMap<string, DirectorySite>): boolean {
  for (let at: DirectorySite | undefined = site; at !== undefined; at = at.parent === null ? undefined : sites.get(at.parent)) {
    if (at.code === root) return true;
  }
  return false;
}

/** As the server has it; asked for anew when it says that it has changed. */
function useRoster(week: number): Roster | null {
  const [roster, setRoster] = useState<Roster | null>(null);
  const changes = useBook("roster");
  useEffect(() => {
    let gone = false;
    // Without a line nothing comes; the next welcome counts as a change.
    ask({ type: "roster", fromMs: week, toMs: daysOf(week)[7] ?? week }).then(
      (reply) => {
        if (!gone && reply.type === "roster") setRoster(reply.roster);
      },
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [week, changes]);
  return roster;
}
