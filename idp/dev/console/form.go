package console

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/oidc"
)

// document returns the fields of the client that are set, by their names in JSON and in the configuration file.
// Durations are text. The secret is left out.
func document(client oidc.Client) yaml.MapSlice {
	var fields yaml.MapSlice
	for field, value := range reflect.ValueOf(client).Fields() {
		name := nameOf(field)
		isSecret := field.Type == reflect.TypeFor[oidc.Secret]()
		if isSecret || value.IsZero() && name != "client_id" && name != "redirect_uris" {
			continue
		}
		shown := value.Interface()
		switch of := shown.(type) {
		case time.Duration:
			shown = durationText(of)
		case []string:
			shown = orEmpty(of)
		}
		fields = append(fields, yaml.MapItem{Key: name, Value: shown})
	}
	return fields
}

// members are the fields of document by name.
func members(client oidc.Client) map[string]any {
	fields := map[string]any{}
	for _, field := range document(client) {
		fields[field.Key.(string)] = field.Value
	}
	return fields
}

// yamlOf returns the lines of the configuration file that register the client. secret is its plain secret if it is
// known.
func yamlOf(client oidc.Client, secret string) (string, error) {
	fields := document(client)
	if !client.ClientSecret.IsZero() {
		if secret == "" {
			secret = client.ClientSecret.String()
		}
		fields = append(fields, yaml.MapItem{Key: "client_secret", Value: secret})
	}
	for i, field := range fields {
		if set, ok := field.Value.(*oidc.KeySet); ok { // a key writes itself as JSON only
			text, err := json.Marshal(set)
			if err != nil {
				return "", err
			}
			var tree any
			if err := json.Unmarshal(text, &tree); err != nil {
				return "", err
			}
			fields[i].Value = tree
		}
	}
	text, err := yaml.MarshalWithOptions(map[string]any{"clients": []any{fields}}, yaml.IndentSequence(true))
	return strings.ReplaceAll(string(text), "${", "$${"), err // ${NAME} is a variable in the file
}

// patched returns the client with a JSON merge patch (RFC 7396) applied to its document, and the plain secret if the
// patch brings one. It does not judge whether the result is a valid client.
func patched(client oidc.Client, patch []byte) (changed oidc.Client, secret string, err error) {
	before, err := json.Marshal(members(client))
	if err != nil {
		return client, "", err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return client, "", oidc.InvalidRequest.Errorf("the body cannot be read: send a JSON object").Because(err)
	}
	var given map[string]json.RawMessage // by the names of the fields
	if err := json.Unmarshal(after, &given); err != nil {
		return client, "", oidc.InvalidRequest.Errorf("the body cannot be read: send a JSON object").Because(err)
	}
	if raw, ok := given["client_secret"]; ok {
		_ = json.Unmarshal(raw, &secret) // readField reports a value that is not text
	}
	changed.ClientSecret = client.ClientSecret
	for field, value := range reflect.ValueOf(&changed).Elem().Fields() {
		name := nameOf(field)
		raw, ok := given[name]
		delete(given, name)
		if !ok {
			continue
		}
		if err := readField(name, raw, value); err != nil {
			return client, "", err
		}
	}
	for name := range given {
		return client, "", oidc.InvalidRequest.Errorf("%.50q is not a setting of a client: see docs/configuration.md", name)
	}
	if changed.Public() && secret == "" {
		changed.ClientSecret = oidc.Secret{}
	}
	return changed, secret, nil
}

// readField reads one member of a client's JSON into the field. An empty secret leaves the field as it is.
func readField(name string, raw json.RawMessage, field reflect.Value) error {
	wrong := oidc.InvalidRequest.Errorf("%s cannot be read: see docs/configuration.md for its form", name)
	switch into := field.Addr().Interface().(type) {
	case *time.Duration:
		var d lab.Duration
		err := json.Unmarshal(raw, &d)
		if ours, ok := errors.AsType[*oidc.Error](err); ok {
			return oidc.InvalidRequest.Errorf("%s: %s", name, ours.Description)
		} else if err != nil {
			return wrong.Because(err)
		}
		*into = d.Duration
	case *oidc.Secret:
		var text string
		if json.Unmarshal(raw, &text) != nil || text == into.String() {
			return wrong
		}
		if text != "" {
			*into = oidc.NewSecret(text)
		}
	default:
		if err := json.Unmarshal(raw, into); err != nil {
			return wrong.Because(err)
		}
	}
	return nil
}

func nameOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

// durationText returns 5m where time.Duration writes 5m0s.
func durationText(d time.Duration) string {
	text := d.String()
	for _, whole := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, whole) {
			text = text[:len(text)-2]
		}
	}
	return text
}
