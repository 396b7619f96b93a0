import "./field-incidents.css";

import { Drawer } from "antd";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import { FieldIncidents } from "./FieldIncidents";
import { LevelSign } from "./LevelSign";
import { NewCalls } from "./NewCalls";
import { tasksOf } from "./order";
import { ResponseBar } from "./ResponseBar";
import { showOverCall, useIncidentsView } from "./store";

/** In a call on a phone or terminal: the task at hand goes on, and all of it is a tap away. */
export function IncidentsOverCall() {
  const { t } = useTranslation();
  const over = useIncidentsView((view) => view.overCall);
  const incidents = useReplica((replica) => replica.incidents);
  const tasks = useMemo(() => tasksOf(incidents), [incidents]);
  // What was on the page before the call does not come between it and the user.
  useEffect(() => showOverCall(false), []);
  const [first] = tasks;
  return (
    <>
      {first === undefined ? (
        <NewCalls dossierInView={over} />
      ) : (
        <div className="call-task" data-testid="call-task">
          <button type="button" className="call-task-what" onClick={() => showOverCall(true)}>
            <LevelSign level={first.level} size={24} />
            <span>{first.title}</span>
            {tasks.length > 1 && <small className="ld-number">{t("incident.more", { count: tasks.length - 1 })}</small>}
          </button>
          <ResponseBar incident={first} />
        </div>
      )}
      <Drawer
        open={over}
        placement="bottom"
        size="85%"
        title={t("incident.title")}
        onClose={() => showOverCall(false)}
        styles={{ body: { padding: 0 } }}
      >
        <FieldIncidents />
      </Drawer>
    </>
  );
}
