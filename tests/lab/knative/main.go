// The ingress of the lab's Knative: it takes each request by its Host to a Service that an Ingress names for it, over
// HTTP/2 without TLS where the container asks for h2c, and says of every Ingress that it is ready.
package main

import (
	"context"
	"flag"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"knative.dev/networking/pkg/apis/networking"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	"knative.dev/networking/pkg/client/clientset/versioned"
	"knative.dev/networking/pkg/client/informers/externalversions"
)

const resync = 5 * time.Second // how soon a status that could not be written is tried again

// backend is one place that requests for a host may go to.
type backend struct {
	address string // host:port
	h2c     bool
	percent int
	headers map[string]string // which tell the activator the revision
}

// gateway forwards requests by the table that it keeps of all Ingresses.
type gateway struct {
	lock  sync.RWMutex
	hosts map[string][]backend
}

func backendsOf(path v1alpha1.HTTPIngressPath) []backend {
	var found []backend
	for _, split := range path.Splits {
		headers := map[string]string{}
		for _, more := range []map[string]string{path.AppendHeaders, split.AppendHeaders} {
			for name, value := range more {
				headers[name] = value
			}
		}
		port := split.ServicePort.IntValue()
		host := split.ServiceName + "." + split.ServiceNamespace + ".svc.cluster.local"
		found = append(found, backend{net.JoinHostPort(host, strconv.Itoa(port)),
			port == networking.ServiceHTTP2Port, split.Percent, headers})
	}
	return found
}

func (g *gateway) learn(ingresses []*v1alpha1.Ingress) {
	hosts := map[string][]backend{}
	for _, ingress := range ingresses {
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				for _, host := range rule.Hosts {
					hosts[host] = backendsOf(path)
				}
			}
		}
	}
	g.lock.Lock()
	defer g.lock.Unlock()
	g.hosts = hosts
}

func (g *gateway) pick(host string) *backend {
	g.lock.RLock()
	defer g.lock.RUnlock()
	chance := rand.IntN(100)
	for _, found := range g.hosts[host] {
		if chance -= found.percent; chance < 0 {
			return &found
		}
	}
	return nil
}

func (g *gateway) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	host, _, err := net.SplitHostPort(request.Host)
	if err != nil { // without a port
		host = request.Host
	}
	chosen := g.pick(host)
	if chosen == nil {
		http.Error(writer, "no Ingress for "+host, http.StatusNotFound)
		return
	}
	proxy := httputil.ReverseProxy{
		Transport:     transports[chosen.h2c],
		FlushInterval: -1, // a conversation of both sides must not wait for a buffer to fill
		Rewrite: func(forwarded *httputil.ProxyRequest) {
			forwarded.Out.URL.Scheme, forwarded.Out.URL.Host = "http", chosen.address
			forwarded.Out.Host = forwarded.In.Host
			for name, value := range chosen.headers {
				forwarded.Out.Header.Set(name, value)
			}
		},
	}
	proxy.ServeHTTP(writer, request)
}

var transports = map[bool]*http.Transport{false: transport(false), true: transport(true)}

func transport(h2c bool) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(!h2c)
	protocols.SetUnencryptedHTTP2(h2c)
	return &http.Transport{Protocols: &protocols, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
}

// acknowledge says that requests for an Ingress arrive; what it says wrongly for a moment is tried again.
func acknowledge(client versioned.Interface, ingress *v1alpha1.Ingress, domain string) {
	if ingress.IsReady() && ingress.Status.ObservedGeneration == ingress.Generation {
		return
	}
	changed := ingress.DeepCopy()
	entrance := []v1alpha1.LoadBalancerIngressStatus{{DomainInternal: domain}}
	changed.Status.InitializeConditions()
	changed.Status.MarkNetworkConfigured()
	changed.Status.MarkLoadBalancerReady(entrance, entrance)
	changed.Status.ObservedGeneration = changed.Generation
	_, err := client.NetworkingV1alpha1().Ingresses(changed.Namespace).UpdateStatus(
		context.Background(), changed, metav1.UpdateOptions{})
	log.Printf("%s/%s generation %d: %v", changed.Namespace, changed.Name, changed.Generation, err)
}

func follow(client versioned.Interface, entrance *gateway, domain string) {
	factory := externalversions.NewSharedInformerFactory(client, resync)
	ingresses := factory.Networking().V1alpha1().Ingresses()
	learn := func() {
		all, _ := ingresses.Lister().List(labels.Everything())
		entrance.learn(all)
	}
	seen := func(object any) {
		learn()
		acknowledge(client, object.(*v1alpha1.Ingress), domain)
	}
	ingresses.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: seen, UpdateFunc: func(_, object any) { seen(object) }, DeleteFunc: func(any) { learn() }})
	factory.Start(context.Background().Done())
	factory.WaitForCacheSync(context.Background().Done())
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file")
	address := flag.String("listen", ":8080", "where requests come in")
	domain := flag.String("domain", "", "name of the Service that leads here")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	entrance := &gateway{}
	follow(versioned.NewForConfigOrDie(config), entrance, *domain)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := http.Server{Addr: *address, Handler: entrance, Protocols: &protocols}
	log.Fatal(server.ListenAndServe())
}
