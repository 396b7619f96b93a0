import "./rehearsal.css";

import { Modal, Select, Spin } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ask, useReplica } from "../protocol/client";
import { failureKey } from "../protocol/errors";
import type { PlanContent } from "../protocol/generated/PlanContent";
import type { PlanRehearsal } from "../protocol/generated/PlanRehearsal";
import type { PlanVia } from "../protocol/generated/PlanVia";
import { offsetWords } from "./offset";
import { useShortName } from "./siteName";

const VIAS: readonly PlanVia[] = ["devices", "takenOut", "busy", "contacts", "nobody"];

type Props = {
  open: boolean;
  content: PlanContent;
  /** Where the incident is. */
  site: string;
  /** Another site can be tried. */
  choosable?: boolean;
  onClose: () => void;
};

/** What a plan would do at this moment: who would ring, who is offline and what is tried then. Nothing happens. */
export function RehearsalDialog({ open, content, site, choosable = false, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal open={open} title={t("rehearsal.title", { name: content.name })} footer={null} width={760} destroyOnHidden onCancel={onClose}>
      <Rehearsal content={content} site={site} choosable={choosable} />
    </Modal>
  );
}

function Rehearsal({ content, site, choosable }: { content: PlanContent; site: string; choosable: boolean }) {
  const { t } = useTranslation();
  const sites = useReplica((replica) => replica.sites);
  const shorten = useShortName();
  const [at, setAt] = useState(site);
  const [found, setFound] = useState<PlanRehearsal | string | null>(null);
  useEffect(() => {
    let gone = false;
    ask({ type: "rehearsePlan", content, site: at })
      .then((reply) => {
        if (!gone && reply.type === "rehearsal") setFound(reply.rehearsal);
      })
      .catch((error: unknown) => {
        if (!gone) setFound(t(failureKey(error)));
      });
    return () => {
      gone = true;
    };
  }, [content, at, t]);
  return (
    <div className="rehearsal" data-testid="rehearsal">
      <p className="rehearsal-hint">{t("rehearsal.hint")}</p>
      {choosable && (
        <label className="rehearsal-site">
          {t("rehearsal.site")}
          <Select
            showSearch
            optionFilterProp="label"
            value={at}
            options={[...sites.values()].map(({ code, name }) => ({ value: code, label: name }))}
            onChange={(next) => {
              // What was found for the other site does not stand under this one's name.
              setFound(null);
              setAt(next);
            }}
          />
        </label>
      )}
      {found === null ? (
        <Spin />
      ) : typeof found === "string" ? (
        <p role="alert">{found}</p>
      ) : (
        <ol>
          {found.steps.map((step, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- steps have no number of their own
            <li key={index}>
              <h3>
                {t("rehearsal.step", { number: index + 1, after: offsetWords(t, content.steps[index]?.afterS ?? 0) })}
                <span className="ld-number">{t("rehearsal.count", { count: step.rings.length })}</span>
              </h3>
              {VIAS.map((via) => {
                const rings = step.rings.filter((ring) => ring.via === via);
                if (rings.length === 0) return null;
                return (
                  <section key={via} className="rehearsal-group" data-via={via} data-testid={`rehearsal-${index}-${via}`}>
                    <h4>
                      {t(`rehearsal.via.${via}`)} <span className="ld-number">{rings.length}</span>
                    </h4>
                    <ul>
                      {rings.map((ring) => (
                        <li key={ring.name} title={ring.name}>
                          {shorten(ring.name)}
                          {!ring.ordered && <small> {t("rehearsal.asked")}</small>}
                          {ring.contacts.length > 0 && via !== "devices" && <small> → {ring.contacts.join(" → ")}</small>}
                        </li>
                      ))}
                    </ul>
                  </section>
                );
              })}
              {step.show.length > 0 && (
                <p className="rehearsal-show">
                  {t("rehearsal.show")} {step.show.map(shorten).join("、")}
                </p>
              )}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
