/** The wire shapes of administration, by the names its page calls them. */
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Role = Schemas["Role"];
export type User = Schemas["UserOut"];
export type NewPerson = Schemas["AddUser"];
export type Peer = Schemas["PeerOut"];
export type Echo = Schemas["EchoOut"];
export type Queue = Schemas["QueueOut"];
export type Queues = Schemas["QueuesOut"];
export type DeadLetter = Schemas["DeadLetterOut"];
export type DeadLetters = Schemas["DeadLettersOut"];
export type ModelVersion = Schemas["ModelVersionOut"];
