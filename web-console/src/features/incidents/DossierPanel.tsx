import "./incidents.css";
import "./dossier.css";

import { ArrowLeftOutlined, CloseOutlined, EnvironmentOutlined } from "@ant-design/icons";
import { Button, Spin } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { Dossier } from "../../protocol/generated/Dossier";
import type { Incident } from "../../protocol/generated/Incident";
import { clockOf } from "../../ui/time";
import { useAttempt } from "../../ui/useAttempt";
import { momentWords } from "./age";
import { Conferences } from "./Conferences";
import { Files } from "./Files";
import { StatePill } from "./IncidentCard";
import { LevelSign } from "./LevelSign";
import { Orders } from "./Orders";
import { Plans } from "./Plans";
import { Responders } from "./Responders";
import { ResponseBar } from "./ResponseBar";
import { COURSE, isOpen } from "./rules";
import { look } from "./store";
import { Timeline } from "./Timeline";
import { useServerNow } from "./useServerNow";

/** Everything about the incident that is open on the page, and every order about it. */
export function DossierPanel({ onShowCall }: { onShowCall?: () => void }) {
  const { t } = useTranslation();
  const open = useReplica((replica) => replica.open);
  if (open === null) return null;
  const close = () => void look(null);
  return open.dossier === null ? (
    <div className="dossier dossier-loading" role="status">
      <Spin />
      {t("incident.loading")}
    </div>
  ) : (
    <Whole key={open.incident} dossier={open.dossier} onClose={close} onShowCall={onShowCall ?? close} />
  );
}

type WholeProps = { dossier: Dossier; onClose: () => void; onShowCall: () => void };

function Whole({ dossier, onClose, onShowCall }: WholeProps) {
  const { t } = useTranslation();
  const { incident } = dossier;
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever reads by ear or keyboard goes on here, not at the list's end.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <article
      className="dossier"
      data-level={incident.level ?? "unknown"}
      data-state={incident.state}
      data-testid="dossier"
      data-incident={incident.id}
    >
      <header className="dossier-head">
        <Button
          type="text"
          className="dossier-back"
          icon={<ArrowLeftOutlined aria-hidden />}
          aria-label={t("incident.back")}
          data-testid="dossier-back"
          onClick={onClose}
        />
        <LevelSign level={incident.level} size={52} />
        <div>
          <h2 ref={heading} tabIndex={-1}>
            {incident.title}
          </h2>
          <p>
            <StatePill incident={incident} />
            <span>{t(`incident.kind.${incident.kind}`)}</span>
            <span className="ld-number">{t("incident.number", { id: incident.id })}</span>
            {incident.duplicateOf !== null && <OtherIncident id={incident.duplicateOf} />}
          </p>
        </div>
        <Button
          type="text"
          className="dossier-close"
          icon={<CloseOutlined aria-hidden />}
          aria-label={t("incident.close")}
          data-testid="dossier-close"
          onClick={onClose}
        />
      </header>
      <Course incident={incident} />
      <div className="dossier-body">
        <div className="dossier-acts">
          {incident.ownResponse !== null && (
            <section className="dossier-own">
              <h3>{t("incident.respondTitle")}</h3>
              <ResponseBar incident={incident} />
            </section>
          )}
          <Plans dossier={dossier} />
          <Conferences dossier={dossier} onShowCall={onShowCall} />
          <Orders dossier={dossier} />
          <Alike dossier={dossier} />
          <Responders dossier={dossier} />
        </div>
        <div className="dossier-facts">
          <Facts dossier={dossier} />
          <Files dossier={dossier} />
          <Timeline dossier={dossier} />
        </div>
      </div>
    </article>
  );
}

/** How far it is on its way; one that is none has no way. */
function Course({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const at = COURSE.findIndex((state) => state === incident.state);
  if (at < 0) return null;
  return (
    <ol className="course" aria-label={t("incident.courseLabel")}>
      {COURSE.map((state, index) => (
        <li key={state} data-reached={index <= at} aria-current={index === at ? "step" : undefined}>
          {t(`incident.course.${state}`)}
        </li>
      ))}
    </ol>
  );
}

function Facts({ dossier }: { dossier: Dossier }) {
  const { t, i18n } = useTranslation();
  const { incident, text } = dossier;
  const now = useServerNow();
  const { place } = incident;
  return (
    <section className="facts">
      <p className="facts-where">
        <EnvironmentOutlined aria-hidden />
        <span>
          {incident.siteName}
          {incident.address !== "" && ` · ${incident.address}`}
          {place !== null && (
            <small className="ld-number">
              {place.longitude.toFixed(5)}, {place.latitude.toFixed(5)}
            </small>
          )}
        </span>
      </p>
      <p className="facts-text" data-empty={text === ""}>
        {text === "" ? t("incident.textNone") : text}
      </p>
      <dl>
        <dt>{t("incident.reporter")}</dt>
        <dd>{incident.reporterName}</dd>
        <dt>{t("incident.reportedAt")}</dt>
        <dd className="ld-number">{momentWords(i18n.language, incident.reportedAtMs, now)}</dd>
        {isOpen(incident.state) && (
          <>
            <dt>{t("incident.age")}</dt>
            <dd className="ld-number">{clockOf(now - incident.reportedAtMs)}</dd>
          </>
        )}
        <dt>{t("incident.handler")}</dt>
        <dd>{t(`tier.${incident.tier}`)}</dd>
        {incident.commanderName !== null && (
          <>
            <dt>{t("incident.commander")}</dt>
            <dd>{incident.commanderName}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

/** Others that may be the same one, while that is still to be found out. */
function Alike({ dossier }: { dossier: Dossier }) {
  const { t } = useTranslation();
  if (dossier.incident.state !== "reported" || dossier.alike.length === 0) return null;
  return (
    <section className="alike" data-testid="alike">
      <h3>
        {t("incident.alike")} <small>{t("incident.alikeHint")}</small>
      </h3>
      <ul>
        {dossier.alike.map((id) => (
          <li key={id}>
            <OtherIncident id={id} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function OtherIncident({ id }: { id: number }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const other = useReplica((replica) => replica.incidents.get(id));
  return (
    <button type="button" className="other-incident" onClick={() => attempt(() => look(id))}>
      {other !== undefined && <LevelSign level={other.level} size={20} />}
      {other === undefined ? t("incident.number", { id }) : `${other.title} · ${t("incident.number", { id })}`}
    </button>
  );
}
