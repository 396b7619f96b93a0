import { Button, Modal } from "antd";
import { useTranslation } from "react-i18next";

import { dismissParting, useReplica } from "../protocol/client";
import type { Parting } from "../protocol/replica";

/** Says why the call is over, when it was not the user's own doing. */
export function PartingNotice() {
  const { t } = useTranslation();
  const parting = useReplica((replica) => replica.parting);
  return (
    <Modal
      open={parting !== null}
      title={parting === null ? "" : t(parting.type === "removed" ? "parting.removedTitle" : "parting.endedTitle")}
      onCancel={dismissParting}
      centered
      width={460}
      closable={false}
      footer={
        <Button type="primary" size="large" data-testid="parting-ok" onClick={dismissParting}>
          {t("parting.ok")}
        </Button>
      }
    >
      {parting !== null && (
        <div className="parting" data-testid="parting-notice" data-type={parting.type}>
          <PartingText parting={parting} />
        </div>
      )}
    </Modal>
  );
}

function PartingText({ parting }: { parting: Parting }) {
  const { t } = useTranslation();
  switch (parting.type) {
    case "removed":
      return (
        <>
          {parting.title !== "" && <p>{t("parting.call", { title: parting.title })}</p>}
          <p>{t("parting.removedBy", { name: parting.byName })}</p>
          <p className="parting-reason">{t("parting.removedReason", { reason: parting.reason })}</p>
        </>
      );
    case "ended":
      return (
        <>
          {parting.title !== "" && <p>{t("parting.call", { title: parting.title })}</p>}
          <p>{parting.byName === null ? t("parting.endedNobody") : t("parting.endedBy", { name: parting.byName })}</p>
        </>
      );
    default:
      return parting satisfies never;
  }
}
