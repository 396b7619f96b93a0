import { Button } from "antd";

type Props = { label: string; disabled: boolean; busy: boolean; danger?: boolean };

/** The one button that sends the form it stands in. */
export function Submit({ label, disabled, busy, danger = false }: Props) {
  return (
    <Button type="primary" size="large" htmlType="submit" danger={danger} disabled={disabled} loading={busy} data-testid="order-submit">
      {label}
    </Button>
  );
}
