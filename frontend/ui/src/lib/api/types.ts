/** Short names for the contract's schemas, so that nothing outside lib/api spells the generated paths. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AccessEntry = Schemas['AccessEntry'];
export type AccessRequest = Schemas['AccessRequest'];
export type AccessState = Schemas['AccessState'];
export type Account = Schemas['Account'];
export type Acknowledgement = Schemas['Acknowledgement'];
export type Address = Schemas['Address'];
export type Attachment = Schemas['Attachment'];
export type Checkpoint = Schemas['Checkpoint'];
export type Compose = Schemas['Compose'];
export type ComposeAttachment = Schemas['ComposeAttachment'];
export type ConnectedService = Schemas['ConnectedService'];
export type Conversation = Schemas['Conversation'];
export type DecisionEvent = Schemas['DecisionEvent'];
export type DecisionPage = Schemas['DecisionPage'];
export type Draft = Schemas['Draft'];
export type Label = Schemas['Label'];
export type LiveChange = Schemas['LiveChange'];
export type Message = Schemas['Message'];
export type MessageImages = Schemas['MessageImages'];
export type Numbers = Schemas['Numbers'];
export type NumbersMonth = Schemas['NumbersMonth'];
export type OutboxItem = Schemas['OutboxItem'];
export type Permission = Schemas['Permission'];
export type Problem = Schemas['Problem'];
export type ServiceFigures = Schemas['ServiceFigures'];
export type Session = Schemas['Session'];
export type StaffMessage = Schemas['StaffMessage'];
export type StaffRequest = Schemas['StaffRequest'];
export type ThreadPage = Schemas['ThreadPage'];
export type ThreadRow = Schemas['ThreadRow'];
export type Upload = Schemas['Upload'];
