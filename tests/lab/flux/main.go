// Flux's own judgement, for the test of examples/gitops/flux. Standard input is JSON.
//
//	flux status   {"expressions": {"current": ...}, "objects": [...]}: how Flux's health check judges each object, one
//	              word per line: Current, InProgress, Failed; Unknown where an expression cannot be evaluated.
//	flux check    [...]: whether Flux's API has these objects' kinds and fields; the first mistake is an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomization "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	source "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

func status(decoder *json.Decoder) error {
	var asked struct {
		Expressions kustomize.HealthCheckExpressions `json:"expressions"`
		Objects     []json.RawMessage                `json:"objects"`
	}
	if err := decoder.Decode(&asked); err != nil {
		return err
	}
	evaluator, err := cel.NewStatusEvaluator(&asked.Expressions)
	if err != nil {
		return err
	}
	for _, text := range asked.Objects {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return err
		}
		if result, err := evaluator.Evaluate(context.Background(), object); err == nil {
			fmt.Println(result.Status)
		} else {
			fmt.Println("Unknown", err)
		}
	}
	return nil
}

func check(decoder *json.Decoder) error {
	var objects []json.RawMessage
	if err := decoder.Decode(&objects); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{helm.AddToScheme, kustomization.AddToScheme, source.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	for _, text := range objects {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return err
		}
		typed, err := scheme.New(object.GroupVersionKind())
		if err != nil {
			return err
		}
		if err := yaml.UnmarshalStrict(text, typed); err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

func main() {
	run := map[string]func(*json.Decoder) error{"status": status, "check": check}[os.Args[1]]
	if err := run(json.NewDecoder(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
