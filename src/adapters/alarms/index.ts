/** Alarms to people: webhooks and mail, delivered off the data path. */
export { type AlarmDocument, alarmDocument } from './alarm-document.ts';
export { type CommandOptions, createCommand } from './command.ts';
export { AlarmDelivery, type DeliveryOptions } from './delivery.ts';
export { createMail, type MailOptions } from './mail.ts';
export type { DeliveryEvent, SinkCounts } from './sink-queue.ts';
export { createWebhook, signatureOf, type WebhookOptions } from './webhook.ts';
