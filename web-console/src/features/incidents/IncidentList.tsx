import "./incidents.css";

import { PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import { useAttempt } from "../../ui/useAttempt";
import { IncidentCard } from "./IncidentCard";
import { counts, FILTERS, listed } from "./order";
import { choose, look, startReport, useIncidentsView } from "./store";

/** All incidents that this client may know; the gravest open one on top. */
export function IncidentList() {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const incidents = useReplica((replica) => replica.incidents);
  const open = useReplica((replica) => replica.open?.incident ?? null);
  const filter = useIncidentsView((view) => view.filter);
  const shown = useMemo(() => listed(incidents, filter), [incidents, filter]);
  const count = useMemo(() => counts(incidents), [incidents]);
  return (
    <section className="incident-list" aria-label={t("incident.title")} data-testid="incident-list">
      <header>
        <div className="incident-filters" role="group" aria-label={t("incident.filterLabel")}>
          {FILTERS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={filter === one}
              data-testid={`incident-filter-${one}`}
              onClick={() => choose(one)}
            >
              {t(`incident.filter.${one}`)} <span className="ld-number">{count[one]}</span>
            </button>
          ))}
        </div>
        <Button block icon={<PlusOutlined aria-hidden />} data-testid="start-report" onClick={startReport}>
          {t("incident.report")}
        </Button>
      </header>
      <ul>
        {shown.map((incident) => (
          <li key={incident.id}>
            <IncidentCard
              incident={incident}
              open={incident.id === open}
              onOpen={() => attempt(() => look(incident.id))}
            />
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="incident-none">{t("incident.none")}</p>}
    </section>
  );
}
