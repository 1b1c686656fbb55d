package incidents

import (
	"context"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// resolve fills in what an incident's subject says of its channel and version.
// What somebody named wins: the subject is then only looked up, so that an
// incident never points at something that is not there.
func resolve(ctx context.Context, tx Tx, i *ota.Incident) error {
	kind, ref, _ := strings.Cut(i.Subject, ":")
	var channel, version string
	var err error
	switch kind {
	case "release":
		channel = ref
	case "bundle":
		version = ref
	case "error":
		version, err = errorVersion(ctx, tx, i.App, ref)
	case "device":
		version, err = deviceVersion(ctx, tx, i.App, ref)
	case "alert":
		channel, version, err = alertSubject(ctx, tx, i.App, ref)
	}
	if err != nil || i.Channel != "" || i.Version != "" {
		return err
	}
	i.Channel, i.Version = channel, version
	return nil
}

// published returns a version if the app has it as a bundle, and else "": a
// device may run the app's own bundle, or say what the server never had.
func published(ctx context.Context, tx Tx, app, version string) (string, error) {
	if version == "" || version == ota.Builtin {
		return "", nil
	}
	_, err := tx.Bundle(ctx, app, version)
	if ota.KindOf(err) == ota.KindNotFound {
		return "", nil
	}
	return version, err
}

// errorVersion is the version an error was seen in last that is published.
func errorVersion(ctx context.Context, tx Tx, app, ref string) (string, error) {
	id, err := number("error", ref)
	if err != nil {
		return "", err
	}
	g, err := tx.ErrorGroup(ctx, app, id)
	if err != nil {
		return "", err
	}
	if version, err := published(ctx, tx, app, g.LastVersion); err != nil || version != "" {
		return version, err
	}
	seen, err := tx.ErrorVersions(ctx, id)
	if err != nil {
		return "", err
	}
	var newest string
	var at int64
	for _, v := range seen {
		if v.LastSeen <= at {
			continue
		}
		version, err := published(ctx, tx, app, v.Version)
		if err != nil {
			return "", err
		}
		if version != "" {
			newest, at = version, v.LastSeen
		}
	}
	return newest, nil
}

// deviceVersion is the published version that a device runs, as it last said.
func deviceVersion(ctx context.Context, tx Tx, app, ref string) (string, error) {
	id, ok := ota.ParseDeviceID(ref)
	if !ok {
		return "", ota.Invalid(CodeSubjectInvalid, "%q is not the id of a device", ref).WithField("subject").
			WithHint("list them with: waxwing devices list --app %s", app)
	}
	d, err := tx.Device(ctx, app, id)
	if err != nil {
		return "", err
	}
	return published(ctx, tx, app, d.VersionName)
}

// alertSubject is the channel or the version that an alert is about; most kinds
// of traffic are about neither.
func alertSubject(ctx context.Context, tx Tx, app, ref string) (channel, version string, err error) {
	id, err := number("alert", ref)
	if err != nil {
		return "", "", err
	}
	a, err := tx.IncidentAlert(ctx, app, id)
	if err != nil {
		return "", "", err
	}
	switch a.Kind {
	case ota.AlertFailureRate:
		version, err = published(ctx, tx, app, a.Subject)
	case ota.AlertAdoptionStalled:
		// Without the version the channel would stand for what it serves now.
		name, v, _ := strings.Cut(a.Subject, " ")
		if version, err = published(ctx, tx, app, v); err == nil && version != "" {
			channel, err = present(ctx, tx, app, name)
		}
	case ota.AlertErrorNew, ota.AlertErrorRegressed:
		version, err = errorVersion(ctx, tx, app, a.Subject)
	case ota.AlertGuardHalt:
		channel, version, err = halted(ctx, tx, app, a.Subject)
	}
	return channel, version, err
}

// present returns a channel's name if the app still has it, and else "".
func present(ctx context.Context, tx Tx, app, name string) (string, error) {
	_, err := tx.Channel(ctx, app, name)
	if ota.KindOf(err) == ota.KindNotFound {
		return "", nil
	}
	return name, err
}

// halted is the version that the server stopped on a channel: what it rolls out,
// or else, once the server rolled back, what was served before. What a channel
// serves after that is the good one.
func halted(ctx context.Context, tx Tx, app, name string) (channel, version string, err error) {
	ch, err := tx.Channel(ctx, app, name)
	switch {
	case ota.KindOf(err) == ota.KindNotFound:
		return "", "", nil
	case err != nil:
		return "", "", err
	case ch.Rollout != nil:
		return name, ch.Rollout.Version, nil
	case ch.Release == nil || ch.Release.Kind != ota.ReleaseRollback:
		return name, "", nil // locate takes what is served
	}
	last, _, err := tx.Releases(ctx, ch.ID, ota.Page{Limit: 2})
	if err != nil || len(last) < 2 {
		return "", "", err
	}
	if version, err = published(ctx, tx, app, last[1].Version); err != nil || version == "" {
		return "", "", err
	}
	return name, version, nil
}

// number reads the id that a subject names.
func number(kind, ref string) (int64, error) {
	id, err := strconv.ParseInt(ref, 10, 64)
	if err != nil || id <= 0 {
		return 0, ota.Invalid(CodeSubjectInvalid, "%q is not the id of an %s", ref, kind).WithField("subject").
			WithHint("list them with: waxwing %ss list", kind)
	}
	return id, nil
}
