// Package notify tells others of changes: by signed requests, by messages in a
// chat, by mail.
//
// The record of changes is its outbox. Each subscription has a place in it up
// to which it was read; what it wants becomes a row of its deliveries in the
// same transaction in which that place moves on, so no event is lost and none
// is queued twice, whenever the process ends. Deliveries are attempted one at a
// time per subscription, in the order of the changes, and at least once.
//
// An event that fails is tried again, and holds back those after it until its
// third attempt failed; then it is set aside and retried on its own for three
// days. So a short outage keeps the order, and one event that a receiver cannot
// take does not stop the rest.
//
// It must never put a secret or an address of a receiver into a record, a log or
// an event.
package notify
